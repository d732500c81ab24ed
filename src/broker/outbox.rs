//! Slots of the connections.
