namespace Adjoint.Tests.Ops;

/// <summary>Why a row has no special points of its own.</summary>
internal static class SpecialPoints
{
    internal const string Moved = "moves or adds elements: nothing in it knows a special value";
    internal const string Composed = "of ops that have their own, or of the same op as a row that has";
    internal const string Summed = "sums of products: what is not finite goes through";
    internal const string Ordered = "TopKTests: PyTorch leaves open which of equals comes first";
}
