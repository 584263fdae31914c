"""Numerical building blocks: derivatives, quadrature, batched linear algebra."""
