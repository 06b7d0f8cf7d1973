# SPDX-License-Identifier: GPL-2.0-only
# cmake -D PROGRAM=unit_tests -D OUT=FILE -P suites.cmake: writes a test of ctest for each suite of the program. One for each test
# would start it five times as often, and a start of so large a sanitized program, with the look for leaks at its end, takes
# longer than most of its tests.
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "(^|\n)[A-Za-z][^. \n]*\\." suites "${listed}")
set(text "")
foreach(suite ${suites})
  string(REGEX REPLACE "[\n.]" "" suite ${suite})
  string(APPEND text "add_test([=[${suite}]=] [=[${PROGRAM}]=] [=[--gtest_filter=${suite}.*]=] --gtest_brief=1)\n"
    "set_tests_properties([=[${suite}]=] PROPERTIES LABELS unit TIMEOUT 300)\n")
endforeach()
file(WRITE ${OUT} "${text}")
