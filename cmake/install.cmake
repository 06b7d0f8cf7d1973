# SPDX-License-Identifier: GPL-2.0-only
# cmake --install build [--prefix DIR]: the program, its manual, completions, the units and an example of the configuration.
# What is in /etc belongs to the operator: nothing is written there. The units name /usr/bin/punctual; with another prefix
# that place is put in. The Debian packages begin with these files: deploy/debian/punctual.install names each.
include(GNUInstallDirs)
install(TARGETS punctual RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/punctual.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${CMAKE_BINARY_DIR}/punctual.toml.5 ${CMAKE_BINARY_DIR}/punctual-files.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${CMAKE_BINARY_DIR}/completions/bash RENAME punctual DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${CMAKE_BINARY_DIR}/completions/zsh RENAME _punctual DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${CMAKE_BINARY_DIR}/completions/fish RENAME punctual.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES workloads/telemetry.py DESTINATION ${CMAKE_INSTALL_DATADIR}/punctual/workloads)
install(FILES deploy/examples/punctual.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/punctual/examples)
install(FILES deploy/systemd/punctual.sysusers.conf DESTINATION lib/sysusers.d RENAME punctual.conf)
foreach(unit punctual.service punctual-serve.service punctual-serve.socket)
  install(CODE "
    file(READ ${PROJECT_SOURCE_DIR}/deploy/systemd/${unit} unit)
    string(REPLACE /usr/bin/punctual \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/punctual unit \"\${unit}\")
    file(WRITE ${CMAKE_BINARY_DIR}/${unit} \"\${unit}\")")
  install(FILES ${CMAKE_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()
