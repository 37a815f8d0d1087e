namespace Adjoint.IO;

/// <summary>The names of element types in the safetensors format.</summary>
internal static class SafeTensorsType
{
    private static readonly (string Code, StoredType Type)[] All = Array.ConvertAll(
        ((string Code, string Name)[])
        [
            ("F64", "float64"), ("I64", "int64"), ("F32", "float32"), ("I32", "int32"), ("BF16", "bfloat16"),
            ("F16", "float16"), ("U8", "uint8"), ("BOOL", "bool"), ("U64", "uint64"), ("U32", "uint32"),
            ("U16", "uint16"), ("I16", "int16"), ("I8", "int8"), ("F8_E4M3", "float8_e4m3fn"),
            ("F8_E4M3FNUZ", "float8_e4m3fnuz"), ("F8_E5M2", "float8_e5m2"), ("F8_E5M2FNUZ", "float8_e5m2fnuz"),
            ("F8_E8M0", "float8_e8m0fnu"), ("C64", "complex64"), ("F6_E2M3", "float6_e2m3fn"),
            ("F6_E3M2", "float6_e3m2fn"), ("F4", "float4_e2m1fn"),
        ],
        one => (one.Code, StoredType.Named(one.Name)!));

    /// <summary>The names of all, for messages.</summary>
    internal static string Known { get; } =
        $"{string.Join(", ", All[..^1].Select(type => type.Code))} or {All[^1].Code}";

    /// <summary>The type of this name, or null.</summary>
    internal static StoredType? Named(string? code) => Array.Find(All, type => type.Code == code).Type;

    /// <summary>What a tensor is written as.</summary>
    internal static string Of(DType type) => Array.Find(All, one => one.Type.Held == type).Code;
}
