#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Compiles each .cu file of a folder to a .fatbin beside it: machine code for compute capability 8.x
# and 9.0, and PTX, which drivers compile for newer devices. KernelCache looks for it by a hash of
# what it was made from, so that one of older sources is never taken.
set -euo pipefail
options="--std=c++17 --fmad=false"
cd "$1"
rm -f ./*.fatbin
for source in *.cu; do
  hash=$({ cat common.cuh "$source" && printf '%s' "$options"; } | sha256sum)
  # shellcheck disable=SC2086 # options are words
  nvcc -fatbin $options -Werror all-warnings \
    -gencode arch=compute_80,code=sm_80 -gencode 'arch=compute_90,code=[sm_90,compute_90]' \
    -o "${source%.cu}-${hash:0:16}.fatbin" "$source"
done
