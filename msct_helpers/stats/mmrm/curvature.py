"""What second derivatives of the covariance matrix add to Kenward and Roger's adjustment.

With the elements of an unstructured covariance matrix as parameters these derivatives vanish, and
the adjustment is its linear form. With other parameters of the same matrix they do not: the
adjusted standard error then depends on how the matrix was written down. R's mmrm writes it by the
logarithms of a Cholesky factor's diagonal, and so does this module.
"""

import numpy as np

from msct_helpers.stats.mmrm.reml import Floats


def bend_covariance(sigma: Floats, variance: Floats) -> Floats:
    """Return the second derivatives of a covariance matrix, summed with their covariances.

    The matrix is L L', row i of L being exp(t_i) times (u_i1, ..., u_i(i-1), 1, 0, ...); t and u
    are the parameters. The result depends on the order of the visits, as the factor does.

    Parameters
    ----------
    sigma
        (visits, visits) covariance matrix, positive definite.
    variance
        (parameters, parameters) covariance of its elements, row by row of the upper triangle
        (`msct_helpers.stats.mmrm.reml.make_duplication`).

    Returns
    -------
    array
        (visits, visits): the sum over all pairs of parameters of their covariance times the second
        derivative of `sigma`, in the squared units of the response.
    """
    factor = np.linalg.cholesky(sigma)
    first, second = differentiate_factor(factor)
    slope = first @ factor.T
    slope = slope + slope.transpose(0, 2, 1)
    upper = np.triu_indices(len(sigma))
    # At the maximum the gradient is zero: a change of parameters turns the Hessian by its slope.
    turn = np.linalg.inv(slope[:, upper[0], upper[1]].T)
    own = turn @ variance @ turn.T
    mixed = np.einsum("jab,jk,kcb->ac", first, own, first, optimize=True)
    bent = np.einsum("jk,jkab->ab", own, second, optimize=True) @ factor.T
    whole = mixed + bent
    return whole + whole.T


def differentiate_factor(factor: Floats) -> tuple[Floats, Floats]:
    """Return first and second derivatives of a Cholesky factor by its parameters.

    Returns
    -------
    tuple
        (parameters, visits, visits) and (parameters, parameters, visits, visits): first the
        logarithms of the diagonal, then the rows below it divided by their diagonal.
    """
    visits = len(factor)
    below = np.tril_indices(visits, -1)
    size = visits + len(below[0])
    first = np.zeros((size, visits, visits))
    second = np.zeros((size, size, visits, visits))
    for i in range(visits):
        first[i, i] = factor[i]
        second[i, i, i] = factor[i]
    for k, (row, column) in enumerate(zip(*below, strict=True), start=visits):
        first[k, row, column] = factor[row, row]
        second[row, k, row, column] = second[k, row, row, column] = factor[row, row]
    return first, second
