"""What certifies the folders of files."""
