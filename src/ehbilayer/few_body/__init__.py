"""Excitons, trions and biexcitons: correlated Gaussians chosen and varied, and the spacing where they unbind."""
