"""Line charts in braille dots, with their axes: any curves, not only those of runs."""
