"""Wall-clock times that can be believed, and the stage that times the searches of a method."""
