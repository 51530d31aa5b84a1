// SPDX-License-Identifier: Apache-2.0
/**
 * The GPU engine: class weights, search, loss, gradients and row updates on one NVIDIA device.
 * Driver, compiler of kernels and cuBLAS are bound with java.lang.foreign, so that nothing native
 * is built or shipped.
 */
@NullMarked
package megaclass.cuda;

import org.jspecify.annotations.NullMarked;
