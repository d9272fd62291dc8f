"""What certifies the folder of provisioning files."""
