namespace Adjoint;

// Channels in another order: a transposition of the groups' axis and the axis within a group.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Mixes the channels of groups, so that the next grouped convolution sees some of each (Zhang et al. 2018):
        /// (n, c, …) with channels (group, i) → (i, group). Of 6 channels in 2 groups come 0, 3, 1, 4, 2, 5.
        /// </summary>
        /// <param name="groups">The number of groups, 1 or more; it divides the channels.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// The input has fewer than two axes, or the groups do not divide its channels.
        /// </exception>
        public Tensor ChannelShuffle(int groups)
        {
            if (x.Rank < 2 || groups < 1 || x.Shape[1] % groups != 0)
                throw new AdjointException(
                    "ChannelShuffle: an input (n, channels, …) whose channels the groups divide is needed: found "
                    + $"{x.Shape} and {groups} groups");
            int[] rest = [.. x.Shape.Sizes[2..]];
            int[] axes = [0, 2, 1, .. Enumerable.Range(3, rest.Length)];
            return x.Reshape([x.Shape[0], groups, x.Shape[1] / groups, .. rest]).Permute(axes)
                .Reshape(x.Shape.Sizes);
        }
    }
}
