namespace Adjoint;

/// <summary>
/// What a function changes besides tensors' memory, such as a count of steps: a replay does it again, in its place
/// among the operations.
/// </summary>
/// <param name="name">For profiles.</param>
/// <param name="action">What is done.</param>
/// <param name="takeBack">Undoes it, where the recording is refused.</param>
internal sealed class HostCall(string name, Action action, Action takeBack) : PrimitiveCall(name, [], outputs: 0)
{
    internal override void Run() => action();

    internal override void Undo() => takeBack();
}

/// <summary>
/// Shows the program a tensor as it is at this place among the operations; a replay does so with the memory of its
/// plan.
/// </summary>
/// <param name="name">For profiles.</param>
/// <param name="x">The tensor, which is only read.</param>
/// <param name="look">Is called with the tensor; what it computes is its own, and not recorded.</param>
/// <param name="forget">Is called where the recording is refused.</param>
internal sealed class HostView(string name, Tensor x, Action<Tensor> look, Action forget)
    : PrimitiveCall(name, [x], outputs: 0)
{
    internal override void Undo() => forget();

    internal override void Run()
    {
        var execution = Execution.Current;
        // What it computes is a part of this call.
        var observer = execution.Observer;
        execution.Observer = null;
        try
        {
            look(Operands[0]!);
        }
        finally
        {
            execution.Observer = observer;
        }
    }
}
