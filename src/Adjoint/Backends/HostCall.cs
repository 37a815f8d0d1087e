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

    internal void Undo() => takeBack();
}
