namespace Adjoint;

/// <summary>
/// Is told while a backward pass is under way that the gradient of a leaf is complete, so that it can be sent to others
/// meanwhile.
/// </summary>
internal interface IGradientListener
{
    /// <summary>
    /// No more is added to the gradient by this pass. Called eagerly, while a captured function is recorded, and at the
    /// same place among the operations of each replay. Leaves that get no gradient are not told of.
    /// </summary>
    /// <param name="leaf">The leaf.</param>
    /// <param name="gradient">
    /// Its gradient, with all that earlier passes left there; valid during the call. In a replay this is the plan's
    /// memory, and <c>.Grad</c> of the leaf may still be another.
    /// </param>
    void Ready(Tensor leaf, Tensor gradient);

    /// <summary>
    /// The recording that told of the gradient of a leaf was refused: the function is called again, and tells of the
    /// same bits.
    /// </summary>
    /// <param name="leaf">The leaf.</param>
    void Repeats(Tensor leaf);
}

internal sealed partial class Execution
{
    /// <summary>Who is told of complete gradients on this thread; null: nobody.</summary>
    internal IGradientListener? GradientListener { get; set; }
}
