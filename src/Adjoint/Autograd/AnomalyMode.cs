using System.Numerics;

namespace Adjoint;

/// <summary>
/// While an instance lives, every op on this thread checks its result, forward and backward, and throws at the first
/// NaN or infinity that was not in its inputs, naming the op and the line that called it: <c>using (new AnomalyMode())
/// { … }</c>. Slow. It belongs to the thread, so the compiler refuses an <c>await</c> inside: see
/// <c>docs/threads.md</c>.
/// </summary>
public readonly ref struct AnomalyMode : IDisposable
{
    private readonly int ticket;

    /// <summary>Starts checking the ops of this thread.</summary>
    public AnomalyMode() => ticket = Execution.Current.AnomalyMode.Begin();

    /// <summary>Whether the ops of this thread are checked.</summary>
    public static bool IsEnabled => Execution.Current.AnomalyMode.IsOn;

    /// <summary>Restores the mode that was set before.</summary>
    public void Dispose() => Execution.Current.AnomalyMode.End(ticket);

    internal static void Check(Op op, OpNode? node, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        if (node is not null) node.CalledAt ??= CallSite.Find().Outside;
        for (var i = 0; i < outputs.Length; i++)
            if (outputs[i].DType.IsFloating() && Describe(outputs[i]) is { } bad)
                throw new AnomalyException(
                    op.Name, backward: false, outputs.Length == 1 ? bad : $"{bad} in its output {i}",
                    node?.CalledAt ?? CallSite.Find().Outside, Culprit(inputs));
    }

    internal static void CheckGradient(OpNode node, int input, Tensor gradient)
    {
        if (Describe(gradient) is { } bad)
            throw new AnomalyException(node.Op.Name, backward: true, $"{bad} in the gradient of input {input}",
                node.CalledAt ?? "a line not recorded: run the forward pass in anomaly mode too", "");
    }

    private static string Culprit(ReadOnlySpan<Tensor> inputs)
    {
        for (var i = 0; i < inputs.Length; i++)
            if (inputs[i].DType.IsFloating() && Describe(inputs[i]) is { } bad)
                return $"; its input {i}{(inputs[i].Name is { } name ? $" ({name})" : "")} already held {bad}";
        return "";
    }

    private static string? Describe(Tensor tensor)
    {
        var search = new FirstBad { Tensor = tensor.Detach().To(Device.Cpu), At = -1 };
        ElementTypes.Number(tensor.DType, ref search);
        return search.At < 0
            ? null
            : $"{(search.IsNaN ? "NaN" : "infinity")} at element {search.At} of {tensor.Shape}";
    }

    private struct FirstBad : INumberVisitor
    {
        public Tensor Tensor;
        public int At;
        public bool IsNaN;

        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            var values = Tensor.ToArray<T>();
            At = Array.FindIndex(values, value => !T.IsFinite(value));
            IsNaN = At >= 0 && T.IsNaN(values[At]);
        }

        public readonly void VisitTruth() { }
    }
}

/// <summary>An op produced a NaN or an infinity that was not in its inputs.</summary>
public sealed class AnomalyException : AdjointException
{
    internal AnomalyException(string op, bool backward, string found, string calledAt, string cause)
        : base($"{op}: its {(backward ? "backward" : "forward")} made {found}; called at {calledAt}{cause}") =>
        (OpName, IsBackward, CalledAt, Finding) = (op, backward, calledAt,
            $"{op}: its {(backward ? "backward" : "forward")} made {found}{cause}");

    /// <summary>The name of the op.</summary>
    public string OpName { get; }

    /// <summary>Whether it happened in the backward pass.</summary>
    public bool IsBackward { get; }

    /// <summary>The file and line that called the op.</summary>
    public string CalledAt { get; }

    // The message without the line.
    internal string Finding { get; }
}
