namespace Adjoint.Data;

/// <summary>How an image of another shape becomes one of the size that a network takes.</summary>
public enum ImageFit
{
    /// <summary>The whole image is resized, also where its shape changes; the default.</summary>
    Stretch,

    /// <summary>The largest part in the middle that has the right shape is resized.</summary>
    Crop,
}
