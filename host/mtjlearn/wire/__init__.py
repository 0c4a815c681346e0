"""The wire: messages, frames, the link protocol and the port it runs over."""
