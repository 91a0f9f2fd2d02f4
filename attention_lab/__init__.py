"""Attention Lab: this package carries the JupyterLab extension and the kernelspec; the kernel itself is the npm package `attention-lab`."""

__version__ = "0.1.0"
