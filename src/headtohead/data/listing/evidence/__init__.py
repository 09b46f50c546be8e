"""What paths and labels give away: patients, classes that differ between parts, labels that are measurements."""
