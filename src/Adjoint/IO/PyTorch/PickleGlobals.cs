using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// All names of Python's that a pickle may have, and what stands for calling them here: tensors, dictionaries and
/// single numbers are described; nothing is looked up anywhere else.
/// </summary>
internal static class PickleGlobals
{
    private static readonly FrozenDictionary<string, string> StorageTypes = new Dictionary<string, string>
    {
        ["DoubleStorage"] = "float64",
        ["FloatStorage"] = "float32",
        ["HalfStorage"] = "float16",
        ["BFloat16Storage"] = "bfloat16",
        ["LongStorage"] = "int64",
        ["IntStorage"] = "int32",
        ["ShortStorage"] = "int16",
        ["CharStorage"] = "int8",
        ["ByteStorage"] = "uint8",
        ["BoolStorage"] = "bool",
        ["ComplexFloatStorage"] = "complex64",
        ["ComplexDoubleStorage"] = "complex128",
        ["QInt8Storage"] = "qint8",
        ["QUInt8Storage"] = "quint8",
        ["QInt32Storage"] = "qint32",
        ["QUInt4x2Storage"] = "quint4x2",
        ["QUInt2x4Storage"] = "quint2x4",
        ["UntypedStorage"] = "uint8",
        ["_UntypedStorage"] = "uint8",
    }.ToFrozenDictionary();

    // On a graphics card, a file's storages are named after it.
    private static readonly string[] StorageModules = ["torch", "torch.cuda", "torch.storage"];

    private static readonly FrozenDictionary<string, PickleGlobal> Allowed = List().ToFrozenDictionary(one => one.Name);

    /// <summary>The global of this name.</summary>
    /// <exception cref="DataFormatException">It is not among those that are allowed.</exception>
    internal static PickleGlobal Find(Unpickler unpickler, string module, string name)
    {
        var full = $"{module}.{name}";
        if (Allowed.TryGetValue(full, out var global)) return global;
        if (module == "torch" && StoredType.Named(name) is not null) return new(full);
        throw unpickler.Wrong(full, name switch
        {
            "_rebuild_sparse_tensor" or "_rebuild_sparse_csr_tensor" =>
                "dense tensors; in Python: save x.to_dense()",
            "_rebuild_meta_tensor_no_storage" => "tensors with elements; in Python: load the weights before saving",
            "_rebuild_xla_tensor" or "_rebuild_device_tensor_from_numpy" or "_rebuild_device_tensor_from_cpu_tensor" =>
                "tensors of the CPU or of CUDA; in Python: save x.cpu()",
            "_rebuild_nested_tensor" => "tensors of one shape; in Python: save each of x.unbind()",
            "_reconstruct" when module.StartsWith("numpy", StringComparison.Ordinal) =>
                "tensors; in Python: save torch.from_numpy(x)",
            _ => "tensors, numbers, texts, lists and dictionaries; pickles that make objects or call functions are not "
                + $"read, only state dictionaries; {Unpickler.Remedy}",
        });
    }

    /// <summary>The element type of a storage of this class; null where it is none.</summary>
    internal static StoredType? StorageType(PickleGlobal global) =>
        StorageTypes.TryGetValue(global.Name[(global.Name.LastIndexOf('.') + 1)..], out var type)
            ? StoredType.Named(type) : null;

    /// <summary>The class of the storages that have this element type; one without a type has bytes, too.</summary>
    internal static string StorageName(DType type) =>
        StorageTypes.First(pair => pair.Value == StoredType.Of(type).Name && !pair.Key.Contains("Untyped")).Key;

    private static StoredType? DTypeOf(PickleGlobal global) =>
        global.Name.StartsWith("torch.", StringComparison.Ordinal) ? StoredType.Named(global.Name[6..]) : null;

    private static IEnumerable<PickleGlobal> List()
    {
        foreach (var module in StorageModules)
            foreach (var name in StorageTypes.Keys) yield return new($"{module}.{name}");
        // Named as types, never called: what a tensor was, how it was quantized, what a dictionary makes by itself.
        foreach (var name in (string[])["Tensor", "per_tensor_affine", "per_channel_affine", "per_tensor_symmetric",
            "per_channel_symmetric", "per_channel_affine_float_qparams"]) yield return new($"torch.{name}");
        foreach (var name in (string[])["dict", "list", "tuple", "set", "int", "long", "float", "bool", "str"])
        {
            yield return new($"builtins.{name}");
            // As protocol 2 has it, for Python 2.
            yield return new($"__builtin__.{name}");
        }
        yield return new("torch._utils._rebuild_tensor", Tensor);
        yield return new("torch._utils._rebuild_tensor_v2", Tensor);
        yield return new("torch._utils._rebuild_tensor_v3", TypedTensor);
        yield return new("torch._utils._rebuild_qtensor", Tensor);
        yield return new("torch._utils._rebuild_parameter", SameTensor);
        yield return new("torch._utils._rebuild_parameter_with_state", SameTensor);
        yield return new("torch.nn.parameter.Parameter", SameTensor);
        yield return new("torch._tensor._rebuild_from_type_v2", TensorOfType);
        yield return new("torch.Size", (unpickler, arguments) =>
            arguments is [object?[] sizes] ? sizes : throw unpickler.WrongArguments());
        yield return new("torch.device", Device);
        yield return new("collections.OrderedDict", OrderedDict);
        yield return new("collections.defaultdict", (unpickler, arguments) =>
            arguments is [] or [null or PickleGlobal] ? new PickleDict() : throw unpickler.WrongArguments());
        yield return new("collections.Counter", (unpickler, arguments) =>
            arguments is [PickleDict counts] ? counts : throw unpickler.WrongArguments());
        yield return new("_codecs.encode", Encode);
        yield return new("numpy.dtype", (unpickler, arguments) =>
            arguments is [string name, ..] ? new PickleNumpyType(name) : throw unpickler.WrongArguments());
        yield return new("numpy.core.multiarray.scalar", Scalar);
        yield return new("numpy._core.multiarray.scalar", Scalar);
    }

    private static object Tensor(Unpickler unpickler, object?[] arguments) =>
        arguments is [PyTorchStorageView memory, long offset, object?[] sizes, object?[] strides, ..]
            ? PyTorchTensor.Create(
                RequirePlain(unpickler, arguments, 6), memory, memory.Storage.Type, offset, sizes, strides)
            : throw unpickler.WrongArguments();

    private static object TypedTensor(Unpickler unpickler, object?[] arguments) =>
        arguments is [PyTorchStorageView memory, long offset, object?[] sizes, object?[] strides, _, _,
            PickleGlobal named, ..] && DTypeOf(named) is { Bits: >= 8 } type
            ? PyTorchTensor.Create(RequirePlain(unpickler, arguments, 7), memory, type, offset, sizes, strides)
            : throw unpickler.WrongArguments();

    // A view such as the imaginary part of a conjugate has the elements of what it looks at, and a mark that its values
    // are the negative ones; conjugates have one, too.
    private static Unpickler RequirePlain(Unpickler unpickler, object?[] arguments, int metadata) =>
        arguments.Length > metadata && arguments[metadata] is PickleDict marks
            && marks.Items.FirstOrDefault(mark => mark.Value is true) is (string name, _)
            ? throw unpickler.Wrong($"a tensor whose values are marked '{name}', not stored",
                "stored values; in Python: x.resolve_neg().resolve_conj()")
            : unpickler;

    // Whether a gradient is required, and hooks: not what a file of weights is read for.
    private static object SameTensor(Unpickler unpickler, object?[] arguments) =>
        arguments is [PyTorchTensor tensor, ..] ? tensor : throw unpickler.WrongArguments();

    private static object? TensorOfType(Unpickler unpickler, object?[] arguments) =>
        arguments is [PickleGlobal { Call: { } call }, PickleGlobal, object?[] inner, ..]
            && call != TensorOfType ? call(unpickler, inner) : throw unpickler.WrongArguments();

    private static object Device(Unpickler unpickler, object?[] arguments) => arguments switch
    {
        [string kind] => kind,
        [string kind, long index] when kind.Length < 16 => $"{kind}:{index}",
        _ => throw unpickler.WrongArguments(),
    };

    private static object OrderedDict(Unpickler unpickler, object?[] arguments)
    {
        var dictionary = new PickleDict();
        if (arguments is []) return dictionary;
        // As Python 2 wrote them.
        if (arguments is not [PickleList pairs]) throw unpickler.WrongArguments();
        unpickler.Spend(pairs.Items.Count);
        foreach (var pair in pairs.Items)
            if (pair is PickleList { Items: [var key, var value] }) dictionary.Add(key, value);
            else if (pair is object?[] and [var first, var second]) dictionary.Add(first, second);
            else throw unpickler.WrongArguments();
        return dictionary;
    }

    // How protocol 2 has bytes.
    private static object Encode(Unpickler unpickler, object?[] arguments)
    {
        if (arguments is not [string text, "latin1" or "latin-1"] || text.Any(sign => sign > 255))
            throw unpickler.WrongArguments();
        unpickler.Spend(text.Length);
        return Encoding.Latin1.GetBytes(text);
    }

    private static object Scalar(Unpickler unpickler, object?[] arguments)
    {
        if (arguments is not [PickleNumpyType type, byte[] { Length: <= 8 } value]) throw unpickler.WrongArguments();
        var bytes = value.ToArray();
        if (type.IsBigEndian) Array.Reverse(bytes);
        return (type.Name, bytes.Length) switch
        {
            ("f8", 8) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            ("f4", 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
            ("f2", 2) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
            ("i8", 8) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            ("i4", 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            ("i2", 2) => (long)BinaryPrimitives.ReadInt16LittleEndian(bytes),
            ("i1", 1) => (long)(sbyte)bytes[0],
            ("u8", 8) => (System.Numerics.BigInteger)BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            ("u4", 4) => (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            ("u2", 2) => (long)BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            ("u1", 1) => (long)bytes[0],
            ("b1", 1) => bytes[0] != 0,
            _ => throw unpickler.WrongArguments(),
        };
    }
}
