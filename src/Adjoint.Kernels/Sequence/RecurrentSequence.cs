namespace Adjoint.Kernels;

/// <summary>
/// One layer and direction of a recurrent network over n sequences of t steps, as <see cref="Recurrence"/> takes it.
/// Matrices are row-major and dense, but for the strides of the input. With g the number of gates of the cell (1; 3 of
/// a GRU, r, z, n; 4 of an LSTM, i, f, g, o), w its width, and p the width of the hidden state: w, or that of the
/// projection.
/// </summary>
public readonly unsafe struct RecurrentSequence<T> where T : unmanaged
{
    /// <summary>The kind of cell.</summary>
    public required RecurrentCell Cell { get; init; }

    /// <summary>The number n of sequences.</summary>
    public required int Count { get; init; }

    /// <summary>The number t of steps.</summary>
    public required int Steps { get; init; }

    /// <summary>The number k of inputs at each step.</summary>
    public required int Inputs { get; init; }

    /// <summary>The number w of units.</summary>
    public required int Width { get; init; }

    /// <summary>The width p of the hidden state: w without a projection.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Whether each sequence is read from its own last step to its first.</summary>
    public required bool IsReverse { get; init; }

    /// <summary>The steps of each sequence [n], from 0 to t; null: all have t.</summary>
    public long* Lengths { get; init; }

    /// <summary>The input [n, t, k]; what lies beyond a sequence's length is not read.</summary>
    public T* Input { get; init; }

    /// <summary>Elements from one sequence of the input to the next.</summary>
    public nint InputSample { get; init; }

    /// <summary>Elements from one step of the input to the next.</summary>
    public nint InputStep { get; init; }

    /// <summary>The input weights [g·w, k].</summary>
    public T* InputWeight { get; init; }

    /// <summary>The hidden weights [g·w, p].</summary>
    public T* HiddenWeight { get; init; }

    /// <summary>The biases [g·w] of the input's products; null for none.</summary>
    public T* InputBias { get; init; }

    /// <summary>The biases [g·w] of the hidden state's products; null for none.</summary>
    public T* HiddenBias { get; init; }

    /// <summary>The projection [p, w] of an LSTM's output; null for none.</summary>
    public T* Projection { get; init; }

    /// <summary>The hidden state before the first step [n, p].</summary>
    public T* Hidden { get; init; }

    /// <summary>The cell state of an LSTM before the first step [n, w]; else null.</summary>
    public T* CellState { get; init; }

    /// <summary>The hidden state after each step [n, t, p]; 0 beyond a sequence's length.</summary>
    public T* Outputs { get; init; }

    /// <summary>The hidden state after each sequence's last step [n, p].</summary>
    public T* LastHidden { get; init; }

    /// <summary>The cell state of an LSTM after each sequence's last step [n, w]; else null.</summary>
    public T* LastCell { get; init; }

    /// <summary>
    /// What backward needs, <see cref="Recurrence.SavedLength{T}"/> elements in an order of the kernel's own; null
    /// where there will be none.
    /// </summary>
    public T* Saved { get; init; }
}

/// <summary>
/// The gradients through one layer and direction of a recurrent network; shapes as in
/// <see cref="RecurrentSequence{T}"/>.
/// The gradients of weights and inputs are products of what is written here: those of the input weights Σ dsᵀ·x, of the
/// hidden weights Σ dsᵀ·h, of the input ds·W.
/// </summary>
public readonly unsafe struct RecurrentGradients<T> where T : unmanaged
{
    /// <summary>∂L/∂outputs [n, t, p]; null: 0. What lies beyond a sequence's length is not read.</summary>
    public T* Outputs { get; init; }

    /// <summary>∂L/∂(last hidden state) [n, p]; null: 0.</summary>
    public T* LastHidden { get; init; }

    /// <summary>∂L/∂(last cell state) [n, w]; null: 0.</summary>
    public T* LastCell { get; init; }

    /// <summary>∂L/∂ the products of the input, bias included [n, t, g·w]; 0 beyond a sequence's length.</summary>
    public T* InputSums { get; init; }

    /// <summary>
    /// ∂L/∂ the products of the hidden state, bias included [n, t, g·w]; null but for a GRU: those of the input.
    /// </summary>
    public T* HiddenSums { get; init; }

    /// <summary>
    /// What the weights met at each step [n, t, k + p]: the input, then the hidden state before; 0 beyond a sequence's
    /// length.
    /// </summary>
    public T* Operands { get; init; }

    /// <summary>∂L/∂(hidden state before the first step) [n, p].</summary>
    public T* Hidden { get; init; }

    /// <summary>∂L/∂(cell state before the first step) [n, w]; null but for an LSTM.</summary>
    public T* CellState { get; init; }

    /// <summary>∂L/∂(hidden state after each step) [n, t, p], all paths together; null without a projection.</summary>
    public T* Projected { get; init; }

    /// <summary>What was projected at each step [n, t, w]; null without a projection.</summary>
    public T* Unprojected { get; init; }
}
