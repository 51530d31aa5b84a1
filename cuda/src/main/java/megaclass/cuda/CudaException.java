// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/** A call of CUDA that failed: which call, the name of the error, and what CUDA says about it. */
class CudaException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  CudaException(String message) {
    super(message);
  }

  /**
   * A failed call.
   *
   * @param call the function, with what matters of its arguments
   * @param code the name of the error, as "CUDA_ERROR_INVALID_VALUE"
   * @param text what the library says about the error
   */
  CudaException(String call, String code, String text) {
    super(call + " failed: " + code + " (" + text + ")");
  }
}
