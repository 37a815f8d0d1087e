namespace Adjoint.Data;

/// <summary>
/// Replaces a random rectangle of each image of a batch by that of another one, and mixes the targets by area: λ is
/// drawn for the batch from a beta distribution, the rectangle has the share 1 − λ of the image, its middle is
/// anywhere, and it is cut off at the edges (Yun et al. 2019). The targets become probabilities (n, classes), float32.
/// </summary>
/// <param name="classes">The number of classes, 2 or more.</param>
/// <param name="alpha">Both parameters of the beta distribution, positive; 1 for uniform shares.</param>
public sealed class CutMix(int classes, double alpha = 1) : BatchTransform
{
    private readonly BatchMixing mixing = new("CutMix", classes, alpha);

    /// <inheritdoc/>
    public override Batch Apply(Batch batch, ref SampleRandom random)
    {
        var shape = batch.Inputs.Shape;
        if (shape.Rank != 4)
            throw new AdjointException(
                $"CutMix: inputs must be images (n, channels, height, width): found {shape}; use MixUp, or leave the "
                + "transform out");
        var (share, others) = mixing.Draw(batch, ref random);
        var (height, width) = (shape[2], shape[3]);
        var side = Math.Sqrt(1 - share);
        var (rows, columns) = ((int)(height * side), (int)(width * side));
        var (top, left) = (random.Next(height) - rows / 2, random.Next(width) - columns / 2);
        var (firstRow, endRow) = (Math.Clamp(top, 0, height), Math.Clamp(top + rows, 0, height));
        var (first, end) = (Math.Clamp(left, 0, width), Math.Clamp(left + columns, 0, width));
        var inputs = mixing.Inputs(batch);
        var (mixed, length) = (inputs.ToArray(), shape[1] * height * width);
        for (var row = 0; row < batch.Count * shape[1] * height; row++)
        {
            if (row % height < firstRow || row % height >= endRow) continue;
            var (at, sample) = (row * width + first, row * width / length);
            var from = others[sample] * length + at % length;
            inputs.AsSpan(from, end - first).CopyTo(mixed.AsSpan(at));
        }
        var kept = 1 - (double)(endRow - firstRow) * (end - first) / ((double)height * width);
        return mixing.Targets(batch.With(Field.Inputs, Tensor.From(mixed, shape.Sizes)), kept, others);
    }
}
