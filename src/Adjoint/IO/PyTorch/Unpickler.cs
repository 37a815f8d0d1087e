using System.Numerics;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// Reads the pickles that <c>torch.save</c> writes, of protocols 2 to 5. A pickle is a program for a machine with a
/// stack; this one knows the instructions that make numbers, texts, lists and dictionaries, and for everything else the
/// names of <see cref="PickleGlobals"/>. No code of a file ever runs, and nothing is looked up by its name but in that
/// list. What is made is bounded by the bytes that there are.
/// </summary>
/// <param name="source">The bytes; where the pickle ends, the next one may begin.</param>
/// <param name="path">The file, for messages.</param>
/// <param name="storages">What stands for the memory of tensors; null where there can be none.</param>
internal sealed class Unpickler(PickleSource source, string path, PyTorchStorages? storages = null)
{
    /// <summary>What to do about a file that cannot be read.</summary>
    internal const string Remedy = "in Python: torch.save(model.state_dict(), path)";

    private const int LeastProtocol = 2, MostProtocol = 5;
    // As objects of .NET, a value takes up to 100 times as much as its byte.
    private const int MostValues = 1 << 24;
    private const int MostDigits = 255;

    private readonly List<object?> stack = [];
    private readonly List<int> marks = [];
    private readonly Dictionary<uint, object?> memo = [];
    private long values, copied;
    private long instruction;
    private string called = "";

    /// <summary>Reads one pickle.</summary>
    /// <exception cref="DataFormatException">It is none, is damaged, or wants more than values.</exception>
    internal object? Read()
    {
        instruction = source.Position;
        var first = source.ReadByte();
        if (first != 0x80)
            throw Wrong($"byte 0x{first:x2}",
                "0x80, which begins a pickle of protocol 2 to 5, as torch.save writes it; "
                + Remedy);
        var protocol = source.ReadByte();
        if (protocol is < LeastProtocol or > MostProtocol)
            throw Wrong($"protocol {protocol}", $"{LeastProtocol} to {MostProtocol}; {Remedy}");
        while (true)
        {
            instruction = source.Position;
            var code = source.ReadByte();
            if (code == '.') break;
            Execute(code);
        }
        return stack.Count == 1 && marks.Count == 0 ? stack[0]
            : throw Wrong($"the end of a pickle with {stack.Count} values", "one; the file is damaged");
    }

    /// <summary>Counts elements that a call copies: of all calls no more than the file has bytes.</summary>
    internal void Spend(int elements)
    {
        if ((copied += elements) > source.Length)
            throw Wrong("the same values over and over", $"at most as many as the file has bytes; {Remedy}");
    }

    internal DataFormatException Wrong(string found, string expected) => new(path, instruction, found, expected);

    /// <summary>What was called has other arguments.</summary>
    internal DataFormatException WrongArguments() =>
        Wrong($"other arguments of {called}", "those that torch.save writes; the file is damaged");

    private void Execute(byte code)
    {
        switch (code)
        {
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'K': Push((long)source.ReadByte()); break;
            case (byte)'M': Push((long)source.ReadUInt16()); break;
            case (byte)'J': Push((long)source.ReadInt32()); break;
            case 0x8a: Push(ReadLong(source.ReadByte())); break;
            case 0x8b: Push(ReadLong(source.ReadUInt32())); break;
            case (byte)'G': Push(source.ReadDouble()); break;
            case (byte)'U' or 0x8c: Push(source.ReadText(source.ReadByte())); break;
            case (byte)'T' or (byte)'X': Push(source.ReadText(source.ReadUInt32())); break;
            case 0x8d: Push(source.ReadText(source.ReadUInt64())); break;
            case (byte)'C': Push(source.Read(source.ReadByte())); break;
            case (byte)'B': Push(source.Read(source.ReadUInt32())); break;
            case 0x8e or 0x96: Push(source.Read(source.ReadUInt64())); break;
            case (byte)']': Push(new PickleList()); break;
            case (byte)'}': Push(new PickleDict()); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case 0x85: Push(PopMany(stack.Count - 1)); break;
            case 0x86: Push(PopMany(stack.Count - 2)); break;
            case 0x87: Push(PopMany(stack.Count - 3)); break;
            case (byte)'t': Push(PopMarked()); break;
            case (byte)'(': Mark(); break;
            case (byte)'a': Append([Pop()]); break;
            case (byte)'e': Append(PopMarked()); break;
            case (byte)'s': SetItems(PopMany(stack.Count - 2)); break;
            case (byte)'u': SetItems(PopMarked()); break;
            case (byte)'q': memo[source.ReadByte()] = Top(); break;
            case (byte)'r': memo[source.ReadUInt32()] = Top(); break;
            case 0x94: memo[(uint)memo.Count] = Top(); break;
            case (byte)'h': Recall(source.ReadByte()); break;
            case (byte)'j': Recall(source.ReadUInt32()); break;
            case (byte)'c': Push(PickleGlobals.Find(this, source.ReadLine(), source.ReadLine())); break;
            case 0x93: FindStacked(); break;
            case (byte)'R' or 0x81: Call(); break;
            case (byte)'b': Build(); break;
            case (byte)'Q': Push(LoadStorage()); break;
            // A frame says how many bytes a reader may fetch at once.
            case 0x95: CheckFrame(); break;
            default:
                throw Wrong($"instruction {NameOf(code)} of a pickle", "those that torch.save writes; what makes "
                    + $"objects or calls functions is not read, only state dictionaries; {Remedy}");
        }
    }

    private void Push(object? value)
    {
        if (++values > MostValues)
            throw Wrong($"more than {MostValues} values", $"numbers in tensors, not in lists; {Remedy}");
        stack.Add(value);
    }

    private object? Top() => stack.Count > Floor ? stack[^1] : throw Short();

    private object? Pop()
    {
        var value = Top();
        stack.RemoveAt(stack.Count - 1);
        return value;
    }

    // Nothing below the last mark belongs to what is being made.
    private int Floor => marks.Count == 0 ? 0 : marks[^1];

    private object?[] PopMany(int from)
    {
        if (from < Floor) throw Short();
        var items = new object?[stack.Count - from];
        stack.CopyTo(from, items, 0, items.Length);
        stack.RemoveRange(from, items.Length);
        return items;
    }

    private void Mark()
    {
        if (++values > MostValues) throw Wrong($"more than {MostValues} values", Remedy);
        marks.Add(stack.Count);
    }

    private object?[] PopMarked()
    {
        if (marks.Count == 0) throw Short();
        var from = Floor;
        marks.RemoveAt(marks.Count - 1);
        return PopMany(from);
    }

    private void Append(object?[] items)
    {
        if (Top() is not PickleList list)
            throw Wrong("values appended to what is no list", "a list; the file is damaged");
        foreach (var item in items) list.Add(item);
    }

    private void SetItems(object?[] items)
    {
        if (Top() is not PickleDict dictionary || items.Length % 2 != 0)
            throw Wrong("keys and values for what is no dictionary, or one too few",
                "a dictionary; the file is damaged");
        for (var i = 0; i < items.Length; i += 2) dictionary.Add(items[i], items[i + 1]);
    }

    private void Recall(uint key) =>
        Push(memo.TryGetValue(key, out var value) ? value
            : throw Wrong($"value {key}, which was not kept before", "one that was; the file is damaged"));

    private void FindStacked()
    {
        var names = PopMany(stack.Count - 2);
        Push(names is [string module, string name] ? PickleGlobals.Find(this, module, name)
            : throw Wrong("a name that is no text", "a module and a name in it; the file is damaged"));
    }

    private void Call()
    {
        var parts = PopMany(stack.Count - 2);
        if (parts is not [PickleGlobal { Call: { } call } global, object?[] arguments])
            throw Wrong($"a call of {(parts[0] is PickleGlobal named ? named.Name : "what is no function")}",
                $"tensors, numbers and texts; pickles that call functions are not read; {Remedy}");
        called = global.Name;
        Push(call(this, arguments));
    }

    // State of Python's, which a dictionary (its _metadata) and a tensor have no use for here.
    private void Build()
    {
        var state = Pop();
        switch (Top())
        {
            case PickleDict or PyTorchTensor: break;
            case PickleNumpyType type when state is object?[] { Length: > 1 } parts && parts[1] is string order:
                type.IsBigEndian = order == ">";
                break;
            default:
                throw Wrong("state for what is neither dictionary nor tensor", $"a state dictionary; {Remedy}");
        }
    }

    private PyTorchStorageView LoadStorage() =>
        (storages ?? throw Wrong("a storage of a tensor", "none here; the file is damaged")).Find(this, Pop());

    private void CheckFrame()
    {
        if (source.ReadUInt64() is var length && length > (ulong)source.Length)
            throw Wrong($"a frame of {length} bytes", $"at most {source.Length}; the file is damaged");
    }

    private object ReadLong(uint length)
    {
        if (length > MostDigits)
            throw Wrong($"a number of {length} bytes", $"at most {MostDigits}; the file is damaged");
        var value = new BigInteger(source.Read(length));
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private DataFormatException Short() =>
        Wrong("an instruction without the values that it needs", "a whole pickle; the file is damaged");

    private static string NameOf(byte code) => code switch
    {
        (byte)'i' => "INST",
        (byte)'o' => "OBJ",
        (byte)'P' => "PERSID",
        0x92 => "NEWOBJ_EX",
        0x82 or 0x83 or 0x84 => "EXT",
        0x8f or 0x90 or 0x91 => "for sets",
        (byte)'0' or (byte)'1' or (byte)'2' => "POP or DUP",
        (byte)'F' or (byte)'I' or (byte)'L' or (byte)'S' or (byte)'V' or (byte)'d' or (byte)'g' or (byte)'l'
            or (byte)'p' => $"'{(char)code}' (of protocol 0)",
        _ => $"0x{code:x2}",
    };
}
