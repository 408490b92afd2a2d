"""Reads only: progress boards, score tables, exports."""
