# SPDX-License-Identifier: GPL-2.0-only
# compile_bpf(OBJECT SOURCE): the rule that makes the file OBJECT.
function(compile_bpf object source)
  get_filename_component(name ${object} NAME_WE)
  add_custom_command(OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -std=gnu23 -g -O2 -Wall -Werror
            -I${PROJECT_SOURCE_DIR} -isystem ${LIBBPF_INCLUDEDIR}
            -fdebug-prefix-map=${PROJECT_SOURCE_DIR}=.
            -MD -MF ${object}.d -MT ${object}
            -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM COMMENT "BPF  ${name}")
endfunction()

# embed_file(NAME FILE): makes the object library NAME_object, which holds the bytes of FILE between the symbols
# NAME_object_begin and NAME_object_end.
function(embed_file name object)
  set(embed ${CMAKE_CURRENT_BINARY_DIR}/${name}.embed.S)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embed.S.in ${embed} @ONLY)
  set_source_files_properties(${embed} PROPERTIES OBJECT_DEPENDS ${object})
  add_library(${name}_object OBJECT ${embed})
endfunction()

# add_bpf_object(NAME SOURCE): compiles SOURCE for BPF and embeds it: NAME_object.
# No skeletons: a built-in scheduler takes the same road through the loader as a foreign one.
function(add_bpf_object name source)
  set(object ${CMAKE_BINARY_DIR}/${name}.bpf.o)
  compile_bpf(${object} ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  embed_file(${name} ${object})
endfunction()
