using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Adjoint;

public sealed partial class Tensor
{
    private const int EdgeItems = 3;
    private const int FullUpTo = 1000;

    /// <summary>
    /// The elements in nested brackets, abbreviated beyond 1,000, with shape and type where they are not obvious.
    /// </summary>
    /// <returns>The text, over several lines from two axes on.</returns>
    public override string ToString()
    {
        if (IsReleased)
            return $"Tensor {Shape} {DType.Label()} (memory recycled)";
        var cells = Cells();
        var width = cells.Values.DefaultIfEmpty("").Max(cell => cell.Length);
        var text = new StringBuilder();
        Write(text, cells, width, axis: 0, at: 0, indent: 1);
        if (Length == 0 || Length > FullUpTo) text.Append($", shape {Shape}");
        if (DType != DType.Float32) text.Append($", {DType.Label()}");
        if (Source is not null) text.Append($", source {Source.Op.Name}");
        else if (RequiresGrad) text.Append(", requires grad");
        return text.ToString();
    }

    private Dictionary<int, string> Cells()
    {
        var shown = new Dictionary<int, Tensor>();
        Visit(0, 0, 0, shown);
        if (!DType.IsFloating())
            return shown.ToDictionary(cell => cell.Key, cell => Whole(cell.Value));
        var finite = shown.Values.Select(cell => Math.Abs(cell.Item())).Where(double.IsFinite).ToArray();
        var largest = finite.DefaultIfEmpty(0).Max();
        var smallest = finite.Where(value => value > 0).DefaultIfEmpty(1).Min();
        var format = finite.All(value => value == Math.Floor(value)) && largest < 1e8 ? "0"
            : largest >= 1e8 || smallest < 1e-4 && largest / smallest > 1e4 || largest < 1e-3 ? "0.0000e+00" : "0.0000";
        var culture = CultureInfo.InvariantCulture;
        return shown.ToDictionary(cell => cell.Key, cell => cell.Value.Item().ToString(format, culture));
    }

    private static string Whole(Tensor cell)
    {
        var text = new TextVisitor { Cell = cell };
        ElementTypes.Number(cell.DType, ref text);
        return text.Text!;
    }

    // Row-major index of each shown element, with a view of it.
    private void Visit(int axis, int index, int at, Dictionary<int, Tensor> shown)
    {
        if (axis == Rank)
        {
            shown[index] = View(default, [], offset + at);
            return;
        }
        foreach (var i in Shown(Shape[axis]))
            if (i >= 0)
                Visit(axis + 1, index * Shape[axis] + i, at + i * (int)StrideAt(axis), shown);
    }

    private void Write(StringBuilder text, Dictionary<int, string> cells, int width, int axis, int at, int indent)
    {
        if (axis == Rank)
        {
            text.Append(Rank == 0 ? cells[at] : cells[at].PadLeft(width));
            return;
        }
        text.Append('[');
        var first = true;
        foreach (var i in Shown(Shape[axis]))
        {
            if (!first)
                text.Append(axis == Rank - 1 ? ", " : ",\n" + new string(' ', indent));
            first = false;
            if (i < 0) text.Append('…');
            else Write(text, cells, width, axis + 1, at * Shape[axis] + i, indent + 1);
        }
        text.Append(']');
    }

    // −1 stands for what is left out. Of nothing, too: a billion empty rows are a billion brackets.
    private IEnumerable<int> Shown(int size) => Length is > 0 and <= FullUpTo || size <= 2 * EdgeItems
        ? Enumerable.Range(0, size)
        : [.. Enumerable.Range(0, EdgeItems), -1, .. Enumerable.Range(size - EdgeItems, EdgeItems)];

    private struct TextVisitor : INumberVisitor
    {
        public Tensor Cell;
        public string? Text;

        public void Visit<T>() where T : unmanaged, INumber<T> =>
            Text = Cell.Item<T>().ToString(null, CultureInfo.InvariantCulture);

        public void VisitTruth() => Text = Cell.Item<bool>() ? "true" : "false";
    }

    private sealed class TensorDebugView(Tensor tensor)
    {
        public string Value => tensor.ToString();
        public Shape Shape => tensor.Shape;
        public DType DType => tensor.DType;
        public OpNode? Source => tensor.Source;
        public Tensor? Grad => tensor.Grad;
        public bool RequiresGrad => tensor.RequiresGrad;

        [DebuggerBrowsable(DebuggerBrowsableState.Collapsed)]
        public Tensor[] Inputs => tensor.Source?.Inputs.ToArray() ?? [];
    }
}
