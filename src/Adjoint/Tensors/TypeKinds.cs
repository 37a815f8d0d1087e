using Adjoint.Kernels;

namespace Adjoint;

internal static class TypeKinds
{
    /// <summary>What kind of elements a type has.</summary>
    internal static ElementKinds Kind(this DType type) => (ElementKinds)DTypes.Fact(0x22114211, type);

    /// <summary>Whether a type is of one of the kinds.</summary>
    internal static bool Has(this ElementKinds kinds, DType type) => (kinds & type.Kind()) != 0;

    /// <summary>As in messages: <c>floating or integer</c>.</summary>
    internal static string Label(this ElementKinds kinds)
    {
        var names = new List<string>();
        if (kinds.HasFlag(ElementKinds.Floating)) names.Add("floating");
        if (kinds.HasFlag(ElementKinds.Integers)) names.Add("integer");
        if (kinds.HasFlag(ElementKinds.Booleans)) names.Add("bool");
        return string.Join(" or ", names);
    }
}
