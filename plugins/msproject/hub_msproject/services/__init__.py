"""Microsoft's services that hold plans: Planner, Planner premium, Project Server."""
