"""Microsoft's services: landing zones of Fabric, files in SharePoint, models and refreshes of Power BI."""
