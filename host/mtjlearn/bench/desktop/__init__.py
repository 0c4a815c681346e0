"""What is measured by this computer's clock."""
