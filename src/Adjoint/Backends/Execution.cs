namespace Adjoint;

/// <content>Who watches what is computed.</content>
internal sealed partial class Execution
{
    /// <summary>Runs this thread's primitives in the place of the door; null: nobody watches.</summary>
    internal Action<PrimitiveCall>? Observer { get; set; }

    /// <summary>For observers: the op that asks for what is computed, and whether for its backward.</summary>
    internal (string Op, bool IsBackward)? Cause { get; set; }

    /// <summary>Notes the outermost op, while someone observes; pass the result to <see cref="EndCause"/>.</summary>
    internal bool BeginCause(string op, bool isBackward = false)
    {
        if (Observer is null || Cause is not null) return false;
        Cause = (op, isBackward);
        return true;
    }

    internal void EndCause(bool began)
    {
        if (began) Cause = null;
    }
}
