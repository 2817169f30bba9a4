"""coslocal: a local COS + Cloud Infinite + SCF, with real signatures, real XML and real pixels."""
