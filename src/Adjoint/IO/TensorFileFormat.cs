namespace Adjoint.IO;

/// <summary>The formats of files that hold named tensors.</summary>
public enum TensorFileFormat
{
    /// <summary>safetensors: a JSON header, then the elements.</summary>
    SafeTensors,

    /// <summary>PyTorch's, since version 1.6: a zip archive of a pickle and the elements.</summary>
    PyTorch,

    /// <summary>PyTorch's before version 1.6: pickles one after another, then the elements.</summary>
    PyTorchLegacy,

    /// <summary>NumPy's of several arrays: a zip archive of .npy files.</summary>
    Npz,

    /// <summary>NumPy's of one array.</summary>
    Npy,
}
