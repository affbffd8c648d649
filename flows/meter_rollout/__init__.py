"""Mass meter rollout: waves, exchange orders, completions, their validation, the sequence behind them (domain 2)."""
