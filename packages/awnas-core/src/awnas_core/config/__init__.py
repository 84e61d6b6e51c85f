"""Reading, checking and building from configs."""
