"""Reads HDF5 files of somebody else's: the tree of data sets, and the texts in them. Weights are not read.

Format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t4.html, superblocks 0 to 3. Nothing that a file
names outside of itself is opened. Every place and number is checked before it is believed, and what is read of one file
is bounded; `walk` is the door.
"""
