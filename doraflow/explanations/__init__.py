"""The long page of each diagnostic code: what it means, why it matters, a wrong and a right example."""
