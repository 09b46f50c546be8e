"""Fine-tuning of a network: trainer, schedules, data loader, checkpoints, trial budget."""
