namespace Adjoint.IO;

/// <summary>An element type of NumPy's that holds numbers or truth values.</summary>
/// <param name="Name">As NumPy names it, without byte order: <c>f4</c>.</param>
/// <param name="Size">Of an element, in bytes.</param>
/// <param name="Stored">Which type it is, and what it is loaded as.</param>
internal sealed record NpyType(string Name, int Size, StoredType Stored)
{
    private static readonly NpyType[] All =
    [
        new("f4", 4, StoredType.Named("float32")!),
        new("f8", 8, StoredType.Named("float64")!),
        new("f2", 2, StoredType.Named("float16")!),
        // NumPy itself has no bfloat16: to it these are two raw bytes, of an order.
        new("V2", 2, StoredType.Named("bfloat16")!),
        new("i8", 8, StoredType.Named("int64")!),
        new("i4", 4, StoredType.Named("int32")!),
        new("u1", 1, StoredType.Named("uint8")!),
        new("b1", 1, StoredType.Named("bool")!),
        new("i1", 1, StoredType.Named("int8")!),
        new("i2", 2, StoredType.Named("int16")!),
        new("u2", 2, StoredType.Named("uint16")!),
        new("u4", 4, StoredType.Named("uint32")!),
        new("u8", 8, StoredType.Named("uint64")!),
    ];

    /// <summary>All that can be read, for messages.</summary>
    internal const string Known = "an array of numbers or truth values (f2, f4, f8, i1 … i8, u1 … u8, b1)";

    /// <summary>As a header has it, little-endian.</summary>
    internal string Descriptor => (Size == 1 ? "|" : "<") + Name;

    internal static NpyType? Named(string name) => Array.Find(All, type => type.Name == name);

    internal static NpyType Of(DType type) => Array.Find(All, one => one.Stored.Held == type)
        ?? throw new AdjointException($"NpyFile: NumPy has no type for {type.Label()}; cast with .To(…)");

    /// <summary>What a type that cannot be read is, for a message.</summary>
    internal static string Meaning(string name) => name switch
    {
        ['O', ..] => ", Python objects",
        ['U' or 'S' or 'a', ..] => ", texts",
        ['M' or 'm', ..] => ", dates or durations",
        ['c', ..] => ", complex numbers",
        ['f', ..] => ", floating-point numbers of another length",
        ['V', ..] => ", raw bytes",
        _ => "",
    };

    /// <summary>What to do where a type cannot be read; begins with a semicolon.</summary>
    internal static string Remedy(string name) => name switch
    {
        ['O', ..] => "; objects are pickles, which run code when loaded, and are never read: save x.astype('float32')",
        ['U' or 'S' or 'a', ..] => "; save numbers of classes: numpy.unique(x, return_inverse=True)",
        ['M' or 'm', ..] => "; save x.astype('int64')",
        ['c', ..] => "; save x.real and x.imag",
        ['f', ..] => "; save x.astype('float64')",
        ['V', ..] => "; save x.view(…) of the type that the bytes have, or bfloat16 as float32",
        _ => "",
    };
}
