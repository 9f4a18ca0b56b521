"""What joins the pure core to the world: configuration, wiring, the loop, replay."""
