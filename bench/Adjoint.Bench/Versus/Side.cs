namespace Adjoint.Bench;

/// <summary>What the sides are called in tables and files.</summary>
internal static class Side
{
    internal const string Ours = "ours", Before = "before";
    internal const string Torch = "libtorch", OpenBlas = "OpenBLAS", Onnx = "ONNX Runtime";
}
