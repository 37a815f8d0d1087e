namespace Adjoint.Data;

/// <summary>How an image's values are found between its pixels.</summary>
public enum Interpolation
{
    /// <summary>The value of the nearest pixel: nothing is mixed, as masks of classes need it.</summary>
    Nearest,

    /// <summary>The triangle filter, stretched where the image shrinks (antialiasing); the default.</summary>
    Bilinear,

    /// <summary>
    /// Keys' cubic filter (1981) with a = −0.5, stretched where the image shrinks; sharper, and may overshoot at edges.
    /// </summary>
    Bicubic,
}
