"""The door for assistants: figures, definitions and receipts by the Model Context Protocol, read only."""
