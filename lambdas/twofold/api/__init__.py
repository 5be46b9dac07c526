"""What each operation of the API does, and the constraints of AWS's model."""
