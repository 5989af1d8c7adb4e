"""keras-segformer: SegFormer (arXiv 2105.15203) for Keras 3, from training to the phone.

`__init__.pyi` lists the public names of this package, as the stubs of its subpackages list theirs; each is imported
when it is first used.
"""

from importlib.metadata import version

import lazy_loader

from keras_segformer.quiet import is_program

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("keras-segformer")

# Keras finds classes in saved files by registered names alone. The program loads what its commands need by itself, and
# answers --help without Keras.
if not is_program():
    from keras_segformer import registration as registration
