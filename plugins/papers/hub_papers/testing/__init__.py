"""What certifies the folders of papers."""
