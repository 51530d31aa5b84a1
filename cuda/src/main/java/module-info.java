// SPDX-License-Identifier: Apache-2.0

/** The GPU engine. CUDA is found at run time; nothing of it is needed to build. */
module megaclass.cuda {
  requires megaclass.core;
  requires static transitive org.jspecify;

  provides megaclass.head.HeadProvider with
      megaclass.cuda.CudaProvider;
}
