"""What certifies the plugin, apart from it: simulators of its tool, and what they hold."""
