"""What experiments on electron-hole bilayers publish, beside ours with errors: devices, rows, picture."""
