"""Tests of the results themselves: what no training, however poor, may get wrong."""
